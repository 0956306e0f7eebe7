#!/usr/bin/env node
import "../dist/virt-ls/main.js";
