import js from '@eslint/js';
import jupyter from '@jupyter/eslint-plugin';
import jsxA11y from 'eslint-plugin-jsx-a11y';
import reactHooks from 'eslint-plugin-react-hooks';
import jsonc from 'jsonc-eslint-parser';
import tseslint from 'typescript-eslint';

/** Every rule of Jupyter's own plugin, as an error. */
const everyJupyterRule = Object.fromEntries(
  Object.keys(jupyter.rules).map(rule => [`jupyter/${rule}`, 'error'])
);

export default tseslint.config(
  {
    ignores: [
      '**/node_modules',
      '**/*.d.ts',
      'labextension/lib',
      'eolab',
      '.venv',
      'dist',
      'build'
    ]
  },
  {
    files: ['labextension/{src,tests}/**/*.{ts,tsx}'],
    extends: [
      js.configs.recommended,
      tseslint.configs.strictTypeChecked,
      jsxA11y.flatConfigs.strict,
      reactHooks.configs.flat.recommended
    ],
    languageOptions: {
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname
      }
    },
    plugins: { jupyter },
    rules: {
      ...everyJupyterRule,
      'jupyter/prefer-lazy-imports': [
        'error',
        // Models and frames: a few kilobytes that are needed at once; what they draw is lazy.
        {
          ignoreImports: [
            './eolab',
            './sidebar',
            './ViewRenderer',
            './commands/commands',
            './commands/featureTabs',
            './commands/studyTabs',
            './ingest/ingestTabs',
            './search/searchTabs',
            './model/studiesWatch'
          ]
        }
      ],
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'inline-type-imports' }
      ],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/naming-convention': [
        'error',
        {
          selector: 'interface',
          format: ['PascalCase'],
          prefix: ['I']
        }
      ],
      // `namespace CommandIDs` and `namespace Private` are Jupyter's way.
      '@typescript-eslint/no-namespace': 'off',
      // Numbers in template strings are meant.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true }
      ],
      // One answer's type is known to the caller alone.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // Lumino's signals take a method and its `this`.
      '@typescript-eslint/unbound-method': 'off',
      // Nothing is compiled by the React Compiler here.
      'react-hooks/incompatible-library': 'off',
      '@typescript-eslint/no-confusing-void-expression': 'off',
      curly: 'error',
      eqeqeq: 'error'
    }
  },
  {
    files: ['labextension/tests/**/*.{ts,tsx}'],
    rules: {
      // Tests read better where they may assert what they have just built.
      '@typescript-eslint/no-non-null-assertion': 'off',
      'jupyter/no-untranslated-string': 'off',
      'jupyter/command-described-by': 'off',
      'jupyter/require-disposable-ownership': 'off',
      'jupyter/require-disposable-transfer': 'off'
    }
  },
  {
    files: ['labextension/schema/*.json'],
    languageOptions: { parser: jsonc },
    plugins: { jupyter },
    rules: { 'jupyter/no-schema-enum': 'error' }
  }
);
