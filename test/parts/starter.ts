/** A process that starts a child and waits to be killed: for the tests of what is left behind. Prints the child's number. */
import { createSupervisor } from '../../src/parts/index.ts';

const [dataDir = '', watchdog] = process.argv.slice(2);
const supervisor = createSupervisor({ dataDir, watchdog: watchdog === 'true' });
const child = await supervisor.start({ name: 'sleeper', command: '/bin/sleep', args: ['600'], env: process.env });
console.log(child.pid);
