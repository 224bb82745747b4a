// How does a password travel through our structures without ever being printed?

/** A value that prints as stars: in logs, JSON and string templates. `reveal` only where it is used. */
export class Secret {
  readonly #value: string;
  constructor(value: string) {
    this.#value = value;
  }
  reveal(): string {
    return this.#value;
  }
  toString(): string {
    return "***";
  }
  toJSON(): string {
    return "***";
  }
}
