#!/usr/bin/env node
import "../dist/bundle/virt-copy-out.js";
