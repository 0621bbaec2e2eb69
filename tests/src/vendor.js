// Stands in for the way to the vendor's push service. The keys are those of a test, which can open what is sealed to them.
(() => {
    const json = {{subscription}};
    const name = "the key of the server, as the vendor remembers it";
    const subscription = (key) => ({
        ...json,
        options: { userVisibleOnly: true, applicationServerKey: key },
        toJSON: () => json,
        unsubscribe: async () => {
            localStorage.removeItem(name);
            return true;
        },
    });
    PushManager.prototype.subscribe = async (options) => {
        if (!options.userVisibleOnly) throw new DOMException("silent pushes", "NotAllowedError");
        const key = options.applicationServerKey;
        const bytes = Uint8Array.from(atob(key.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
        // It must be a point of the curve.
        await crypto.subtle.importKey("raw", bytes, { name: "ECDH", namedCurve: "P-256" }, false, []);
        const before = localStorage.getItem(name);
        if (before && before !== key) throw new DOMException("another server's", "InvalidStateError");
        localStorage.setItem(name, key);
        return subscription(key);
    };
    PushManager.prototype.getSubscription = async () => {
        const key = localStorage.getItem(name);
        return key && subscription(key);
    };
})();
