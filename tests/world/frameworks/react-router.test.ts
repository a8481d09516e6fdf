// React Router 8, framework mode, by the sample for 7 (vite.test.ts).
import { describeFrameworks } from './suite.ts'

const reactRouter = {
  name: 'React Router 8',
  folder: 'react-router',
  build: 'react-router build',
  serve: (port: number) => `env HOST=127.0.0.1 PORT=${port} react-router-serve build/server/index.js`,
  until: /http:\/\/\S+?:(\d+)/,
}

describeFrameworks([reactRouter], {
  manifest: {
    dependencies: {
      // The newest of which all four are published: they ask for one another's exact version.
      '@react-router/dev': '8.4.0',
      '@react-router/node': '8.4.0',
      '@react-router/serve': '8.4.0',
      'react-router': '8.4.0',
      isbot: '^5.0.0',
      '@tanstack/react-query': '^5.104.0',
      react: '^19.0.0',
      'react-dom': '^19.0.0',
      vite: '^8.0.0',
    },
  },
})
