// @ts-check
// The shim of `lock.rs`: a lock of the Web Locks API that is held until the page is gone.

/**
 * Resolves to whether this page holds the lock, at most so many milliseconds later.
 * @param {string} name @param {number} patience
 */
export function hold(name, patience) {
  /** @type {Promise<boolean>} */
  const held = new Promise((resolve) => {
    const keep = () => {
      resolve(true);
      return new Promise(() => {});
    };
    // Who no longer waits must not be given it later.
    const signal = AbortSignal.timeout(patience);
    const over = (/** @type {Error} */ why) => resolve(why.name !== "TimeoutError");
    navigator.locks.request(name, { signal }, keep).catch(over);
  });
  // A browser without locks gives each page what it asks for.
  return held.catch(() => true);
}
