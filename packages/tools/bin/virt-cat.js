#!/usr/bin/env node
import "../dist/virt-cat/main.js";
