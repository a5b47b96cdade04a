#!/usr/bin/env node
// React renders the page several times faster this way.
process.env.NODE_ENV ??= "production";
require("tsx/cjs");
require("../keeper/cli/main.ts");
