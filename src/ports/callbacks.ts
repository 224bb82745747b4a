// The port to the commands that a user wants to be told by: a change has happened, and nothing waits for them.

export type CallbackAction = "on_start" | "on_stop" | "on_restart" | "on_reload" | "on_role_change";

/** What has happened; `role` in the words of the field's tools. */
export interface CallbackEvent {
  readonly action: CallbackAction;
  readonly role: string;
}

export interface Callbacks {
  /** Takes the event and returns at once; events are told one after another, in this order. */
  tell(event: CallbackEvent): void;
  /** Resolves when everything has been told, or after `limitMs`. */
  drain(limitMs: number): Promise<void>;
}
