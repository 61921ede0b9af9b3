/** Vite 7 and 8, for `vite`, `vite build` and `vite preview`: only the headers are needed. */
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export default {
  server: { headers },
  preview: { headers },
};
