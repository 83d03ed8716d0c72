// Lint only what a compiler cannot see: promises nobody waits for, types that lie, code that cannot run.
import tseslint from 'typescript-eslint';

/** Each folder is judged in the program that compiles it: one list for all would build every program for every file. */
const inProgram = (tsconfig, ...files) => ({
  files,
  languageOptions: { parserOptions: { project: [tsconfig], tsconfigRootDir: import.meta.dirname } },
});

export default tseslint.config(
  { ignores: ['node_modules', 'web/dist', '.candor', 'bin', '*.js', '*.cjs', 'web/vite.config.ts', 'coverage'] },
  ...tseslint.configs.recommendedTypeChecked,
  inProgram(
    './tsconfig.node.json',
    'src/**',
    'test/**',
    'testing/**',
    'bench/**',
    'demo/**',
    'examples/**',
    'checks/**',
  ),
  inProgram('./tsconfig.web.json', 'web/**'),
  {
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': 'off',
      // Leaving a field out by `{ secret: _secret, ...rest }` is how a copy without it is made.
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true, argsIgnorePattern: '^_' }],
      'no-empty': ['error', { allowEmptyCatch: false }],
    },
  },
  { files: ['src/**', 'web/**'], rules: { 'no-console': 'error' } },
  {
    files: ['examples/**'],
    rules: {
      // Node's runner waits for its tests itself.
      '@typescript-eslint/no-floating-promises': [
        'error',
        { allowForKnownSafeCalls: [{ from: 'package', package: 'node:test', name: ['test'] }] },
      ],
    },
  },
  // These own the terminal.
  { files: ['src/cli.ts', 'src/parts/**'], rules: { 'no-console': 'off' } },
);
