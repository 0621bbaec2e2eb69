// Types of store.js: the shared store of a conference, as an application asks for it.

/** A resource is an object: fields of JSON. */
export type Value = { [field: string]: unknown };

/** The name of a participant's node: sixteen hexadecimal digits. */
export type Node = string;

export interface Life {
  /** Whether the resource goes when the participant goes. Otherwise it stays until it is deleted. */
  transient?: boolean;
}

export interface Listing {
  limit?: number;
  offset?: number;
  /** The other way round; offset and limit count from the other end then. */
  reverse?: boolean;
  /** What comes first: what was created first, what was written first the last time, or the first name. */
  orderby?: "created" | "updated" | "id";
}

/** What is at a place and below it as one subscribes. Told once. */
export interface Load {
  type: "load";
  path: string;
  resources: { path: string; value: Value; from: Node }[];
}

/** A resource was made, changed or deleted, here or elsewhere. */
export interface Change {
  type: "create" | "update" | "delete";
  path: string;
  newValue: Value | null;
  oldValue: Value | null;
  /** Who did it; whose it was, when it went with its owner. */
  from: Node;
}

/** Somebody said something that is not kept. */
export interface Notice {
  type: "notify";
  path: string;
  data: Value;
  from: Node;
}

/** Of the resource at the path itself, or of an item directly below it, which has an `id`. */
export interface ItemEvent {
  type: "load" | "create" | "update" | "delete" | "itemload" | "itemcreate" | "itemupdate" | "itemdelete";
  path: string;
  id?: string;
  newValue?: Value | null;
  oldValue?: Value | null;
  from: Node;
}

export type Code =
  | "exists" | "not-an-object" | "not-allowed" | "bad-path" | "bad-request" | "limit"
  | "not-subscribed" | "frozen" | "crashed" | "closed" | "failed";

/** Why a request was refused. `message` says what is wrong and what to do. */
export class StoreError extends Error {
  readonly code: Code;
}

export interface StoreEvents {
  ready: CustomEvent<Record<string, never>>;
  close: CustomEvent<{ reason?: string }>;
  /** A `create` of ours lost against one that `by` made at the same time. The resource has the other value now. */
  refused: CustomEvent<{ path: string; by: Node }>;
  /** A `notify` to one node found no way. */
  undelivered: CustomEvent<{ path: string; node: Node }>;
}

export class Store extends EventTarget {
  constructor(port: MessagePort);
  /** Whether all is here that those had whom the participant joined, or nobody else is there. */
  readonly ready: boolean;
  /** Why nothing can be asked any more; false while all is well. */
  readonly closed: string | false;

  /** Makes a resource where there is none. */
  create(path: string, value: Value, options?: Life): Promise<null>;
  /** The resource, or null. */
  read(path: string): Promise<Value | null>;
  /** Changes a resource or makes it; `partial` puts the fields of `value` into the old one. */
  update(path: string, value: Value, options?: Life & { partial?: boolean }): Promise<null>;
  /** Removes a resource and all below it. */
  delete(path: string): Promise<null>;
  /** Makes a resource in the list at `path`, and gives its name there. */
  add(path: string, value: Value, options?: Life): Promise<string>;
  /** The resources directly in the list at `path`, each with its name. */
  list(path: string, options?: Listing): Promise<[string, Value][]>;
  getall(path: string, options: Listing & { item: "keys" }): Promise<string[]>;
  getall(path: string, options: Listing & { item: "values" }): Promise<Value[]>;
  getall(path: string, options?: Listing): Promise<[string, Value][]>;
  /** Removes all below `path`, but not what is at it. */
  removeall(path: string): Promise<null>;
  /** Says something that is not kept, to everybody else or to one node. */
  notify(path: string, data: Value, options?: { to?: Node }): Promise<null>;

  /** Tells the load, and then each change and notice at `path` and below; gives what ends it. */
  subscribe(path: string, hear: (event: Load | Change | Notice) => void): Promise<() => void>;
  onchange(path: string, hear: (event: ItemEvent) => void): Promise<void>;
  offchange(path: string, hear: (event: ItemEvent) => void): Promise<void>;
  onnotify(path: string, hear: (event: Notice) => void): Promise<void>;
  offnotify(path: string, hear: (event: Notice) => void): Promise<void>;

  /** Ends all subscriptions. The participant stays. */
  close(): void;

  addEventListener<K extends keyof StoreEvents>(kind: K, hear: (event: StoreEvents[K]) => void): void;
  addEventListener(kind: string, hear: EventListenerOrEventListenerObject | null): void;
}

/** Opens the store of the participant called `of`, in the emulator of this page or of the window `at` around it. */
export function openStore(of: string, at?: Window): Store;
