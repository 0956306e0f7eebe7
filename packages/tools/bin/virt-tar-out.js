#!/usr/bin/env node
import "../dist/virt-tar-out/main.js";
