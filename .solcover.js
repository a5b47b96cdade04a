// `npm run coverage`: the contracts' own unit tests over contracts/, without what has no code of its own.
module.exports = {
  skipFiles: ["interfaces"],
  istanbulReporter: ["text", "json"],
};
