// The environment by which a run tells its test files where the servers are: started once for the run, found by each
// file, whatever the runner.

/** Where the servers are. */
export interface ServerAddresses {
  readonly temporal: { readonly address: string; readonly namespace: string };
  readonly neo4j: { readonly uri: string; readonly user: string; readonly password: string };
  /** Path of the program. */
  readonly timeSkippingServer: string;
  /** Folder in which the bundled workflows are kept. */
  readonly bundleDir: string;
}

export type Env = Readonly<Record<string, string | undefined>>;

const prefix = 'CANDOR_TEST_';

/** For the environment of the processes that run the tests. */
export const toVariables = ({ temporal, neo4j, ...rest }: ServerAddresses): Record<string, string> => ({
  [`${prefix}TEMPORAL_ADDRESS`]: temporal.address,
  [`${prefix}TEMPORAL_NAMESPACE`]: temporal.namespace,
  [`${prefix}NEO4J_URI`]: neo4j.uri,
  [`${prefix}NEO4J_USER`]: neo4j.user,
  [`${prefix}NEO4J_PASSWORD`]: neo4j.password,
  [`${prefix}TIME_SKIPPING_SERVER`]: rest.timeSkippingServer,
  [`${prefix}BUNDLE_DIR`]: rest.bundleDir,
});

/** `null`: this run has started no servers. @throws Error when it names only some of them */
export function readVariables(env: Env): ServerAddresses | null {
  if (env[`${prefix}TEMPORAL_ADDRESS`] === undefined) return null;
  const read = (name: string): string => {
    const value = env[`${prefix}${name}`];
    if (value !== undefined) return value;
    throw new Error(`unable to find the servers of this run; ${prefix}${name} is not set beside the others`);
  };
  return {
    temporal: { address: read('TEMPORAL_ADDRESS'), namespace: read('TEMPORAL_NAMESPACE') },
    neo4j: { uri: read('NEO4J_URI'), user: read('NEO4J_USER'), password: read('NEO4J_PASSWORD') },
    timeSkippingServer: read('TIME_SKIPPING_SERVER'),
    bundleDir: read('BUNDLE_DIR'),
  };
}
