// Native ESM: several of our libraries ship nothing else, and tests then load what production loads (ADR 0006).
export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts', '.tsx'],
  transform: {
    '^.+\\.tsx?$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript', tsx: false } }, module: { type: 'es6' } },
    ],
  },
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testTimeout: 60_000,
  // Test files wait for servers more than they compute: two at once use two cores, also where Jest would take one. All
  // of them share one Temporal and one Neo4j; ports are the machine's choice and task queues, conversations and folders
  // are each file's own, so that files do not meet.
  maxWorkers: 2,
  // Modules that Node loads for `--experimental-vm-modules` are never given back: a worker that grew is replaced.
  workerIdleMemoryLimit: '1GB',
  /** In seconds: what takes longer is shown with its time. */
  slowTestThreshold: 10,
};
