// Which version of Understudy is this? (compared with package.json by a test)

export const VERSION = "0.1.0";
