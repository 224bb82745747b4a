// Which roles may a restart be limited to?

const RESTART_ROLES = new Set<unknown>(["primary", "standby_leader", "replica"]);

export const isRestartRole = (role: unknown): role is string => RESTART_ROLES.has(role);
