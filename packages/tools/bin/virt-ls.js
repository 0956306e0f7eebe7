#!/usr/bin/env node
import "../dist/bundle/virt-ls.js";
