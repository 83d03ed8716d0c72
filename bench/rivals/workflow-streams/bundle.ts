// Bundles the product's workflows with one module exchanged: the event log. Everything else is read from src/workflows,
// so that the rival is never another version of the product.

import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundleWithSourceMap } from '@temporalio/worker';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The modules of src/workflows import each other by such names; a name from elsewhere leads to the real one. */
const ownLog = './event-log.ts$';

export const bundleRivalWorkflows = (): Promise<WorkflowBundleWithSourceMap> =>
  bundleWorkflowCode({
    workflowsPath: here('workflows/index.ts'),
    logger: new DefaultLogger('WARN'),
    webpackConfigHook: (config) => ({
      ...config,
      resolve: {
        ...config.resolve,
        alias: { ...config.resolve?.alias, [ownLog]: here('workflows/hosted-event-log.ts') },
      },
    }),
  });
