#!/usr/bin/env node
import "../dist/bundle/virt-copy-in.js";
