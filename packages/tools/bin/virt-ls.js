#!/usr/bin/env node
require("../dist/bundle/tools.cjs").run("virt-ls");
