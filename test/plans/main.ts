// The process of `npm run chaos -- plans`.

import { plansCommand } from './command.ts';

process.exitCode = (await plansCommand(process.argv.slice(2))) ? 0 : 1;
