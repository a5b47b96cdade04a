#!/usr/bin/env node
require("tsx/cjs");
require("../keeper/cli/main.ts");
