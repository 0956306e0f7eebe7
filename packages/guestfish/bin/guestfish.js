#!/usr/bin/env node
require("../dist/bundle/guestfish.cjs");
