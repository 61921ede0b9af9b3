/** webpack 5: nothing is needed but an entry. With webpack-dev-server, set the headers there. */
export default {
  mode: 'production',
  entry: { app: './app.js' },
  devServer: {
    headers: {
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    },
  },
};
