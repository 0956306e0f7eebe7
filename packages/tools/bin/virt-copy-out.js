#!/usr/bin/env node
import "../dist/virt-copy-out/main.js";
