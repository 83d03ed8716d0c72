// The process of `npm run chaos -- cuts`.

import { cutsCommand } from './command.ts';

process.exitCode = (await cutsCommand(process.argv.slice(2))) ? 0 : 1;
