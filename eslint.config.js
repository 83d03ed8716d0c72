// Lint only what a compiler cannot see: promises nobody waits for, types that lie, code that cannot run.
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['node_modules', 'web/dist', '.candor', 'bin', '*.js', '*.cjs', 'web/vite.config.ts', 'coverage'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.node.json', './tsconfig.web.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': 'off',
      'no-empty': ['error', { allowEmptyCatch: false }],
    },
  },
  { files: ['src/**', 'web/**'], rules: { 'no-console': 'error' } },
  { files: ['src/cli.ts', 'src/parts/**'], rules: { 'no-console': 'off' } },
);
