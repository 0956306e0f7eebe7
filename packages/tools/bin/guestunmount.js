#!/usr/bin/env node
require("../dist/bundle/tools.cjs").run("guestunmount");
