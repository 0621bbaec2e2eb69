// @ts-check
// The shim of `lock.rs`: a lock of the Web Locks API that is held until the page is gone.

/**
 * Resolves to whether this page holds the lock, at most so many milliseconds later.
 * @param {string} name @param {number} patience
 */
export function hold(name, patience) {
  return new Promise((resolve) => {
    setTimeout(() => resolve(false), patience);
    const keep = () => {
      resolve(true);
      return new Promise(() => {});
    };
    // A browser without locks gives each page what it asks for.
    (navigator.locks?.request(name, keep) ?? Promise.reject()).catch(() => resolve(true));
  });
}
