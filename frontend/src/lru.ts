/** A map that forgets what was used least recently, so that the sizes of what it holds stay within a bound. */
export class Lru<T> {
  readonly #entries = new Map<string, { value: T; bytes: number }>();
  #bytes = 0;

  constructor(readonly limit: number) {}

  /** Bytes held now, never above `limit`. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key); // A Map keeps the order of insertion: the first entry is the one to forget.
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** Holds a value; one larger than the whole bound is not held. */
  set(key: string, value: T, bytes: number): void {
    this.#drop(key);
    if (bytes > this.limit) return;
    this.#entries.set(key, { value, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.limit) break;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}
