/** Lint rules: correctness that types alone do not give, and the kernel's own coding rules. */
import tseslint from 'typescript-eslint';

/** Everything that would make kernel code depend on time, chance, or an event loop. */
const impureGlobals = [
  'Date',
  'performance',
  'crypto',
  'console',
  'process',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'fetch',
  'Worker',
  'postMessage',
  'MessageChannel',
].map((name) => ({ name, message: 'kernel/ and shared/ are deterministic and do no I/O.' }));

const atomicsRule = {
  selector: "Identifier[name='Atomics']",
  message: 'Use the functions of shared/atomics.ts, so that the explorer sees every access.',
};

const kernelSyntax = [
  atomicsRule,
  {
    selector: "MemberExpression[object.name='Math'][property.name='random']",
    message: 'No randomness in kernel/.',
  },
  { selector: ':function[async=true]', message: 'Kernel code is synchronous.' },
  { selector: ':function[generator=true]', message: 'Generators are made by the explore build.' },
  { selector: 'AwaitExpression', message: 'Kernel code is synchronous.' },
  { selector: 'TryStatement', message: 'No exceptions as control flow in kernel/: use results.' },
  {
    selector: ':matches(Program, ExportNamedDeclaration) > VariableDeclaration[kind!="const"]',
    message: 'No state in module variables in kernel/.',
  },
];

export default tseslint.config(
  { ignores: ['dist/', 'docs-api/', 'web-dist/', '.cache/', 'coverage/', 'node_modules/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.{js,mjs}'],
    extends: [tseslint.configs.recommended],
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      eqeqeq: 'error',
      // One import of values, one of types and one of the whole from a module.
      'no-duplicate-imports': ['error', { includeExports: false, allowSeparateTypeImports: true }],
      'no-restricted-syntax': ['error', atomicsRule],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' },
      ],
      // An interface may demand a promise of an implementation that has nothing to await.
      '@typescript-eslint/require-await': 'off',
      // Numbers in messages are what this project prints all day.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
    },
  },
  {
    files: ['shared/**/*.ts', 'kernel/**/*.ts'],
    rules: {
      'no-restricted-syntax': ['error', ...kernelSyntax],
      'no-restricted-globals': ['error', ...impureGlobals],
    },
  },
  {
    files: ['shared/atomics.ts', 'workers/cpu/memory/program-mmu.ts', 'workers/platform-*.ts'],
    rules: {
      'no-restricted-syntax': ['error', ...kernelSyntax.filter((rule) => rule !== atomicsRule)],
    },
  },
  {
    // These are outside kernel/: only the ban on Atomics is lifted for them.
    files: [
      'workers/cpu/memory/program-mmu.ts',
      'workers/platform-*.ts',
      'workers/cpu/runtime/wait-async.ts',
    ],
    rules: { 'no-restricted-syntax': 'off' },
  },
);
