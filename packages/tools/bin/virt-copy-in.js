#!/usr/bin/env node
import "../dist/virt-copy-in/main.js";
