#!/usr/bin/env node
import "../dist/virt-tar-in/main.js";
