import { defineConfig } from "vitest/config";

/** What only a server can say; the page's own policy stands in index.html, so that any server's is as strict. */
const headers = {
  "Content-Security-Policy": "frame-ancestors 'none'",
  "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};

export default defineConfig({
  // The page may lie in any folder of a server.
  base: "./",
  build: {
    // Each is over the limit and none can be split: they are the runtimes.
    chunkSizeWarningLimit: 2000,
    assetsInlineLimit: 0,
    license: { fileName: "licenses.md" },
  },
  preview: { headers, host: "127.0.0.1", port: 4173 },
  test: { include: ["test/**/*.test.ts"] },
});
