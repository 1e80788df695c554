/** Stands in for the package of that name, which node-fetch 2 asks for where Node.js has no URL of its own. */

const { URL, URLSearchParams } = globalThis;

export { URL, URLSearchParams };
