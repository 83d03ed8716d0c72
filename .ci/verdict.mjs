// Reads Jest's report. Prints what is red to stderr and `N passed, N failed` to stdout; ends with 1 when a test failed,
// a file could not be run, or a test was skipped whose part could have been had: a skip is no pass.

import { readFileSync } from 'node:fs';

/** A skip is accepted only from a test that says in its name that its part cannot be had on this kind of machine. */
const accepted = /cannot be had/;

const report = readReport(process.argv[2]);
const files = report.testResults;
const tests = files.flatMap(({ assertionResults }) => assertionResults);
const skipped = tests.filter(({ status }) => status !== 'passed' && status !== 'failed');
const refused = skipped.filter(({ fullName }) => !accepted.test(fullName));
// A file that could not even be loaded has no tests to count: it counts as one that failed.
const broken = files.filter(({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0);

for (const { fullName, failureMessages } of tests.filter(({ status }) => status === 'failed')) {
  console.error(`red: ${fullName}\n${failureMessages.join('\n').split('\n').slice(0, 12).join('\n')}`);
}
for (const { name, message } of broken) console.error(`red: ${name}\n${message.split('\n').slice(0, 12).join('\n')}`);
for (const { fullName } of refused) console.error(`skipped, though its part can be had: ${fullName}`);

const passed = tests.filter(({ status }) => status === 'passed').length;
const failed = tests.filter(({ status }) => status === 'failed').length + broken.length;
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = passed > 0 && failed === 0 && refused.length === 0 && report.success ? 0 : 1;

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    console.error(`unable to read the report of the tests; ${error.message}`);
    console.log('0 passed, 1 failed');
    process.exit(1);
  }
}
