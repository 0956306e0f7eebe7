#!/usr/bin/env node
import "../dist/bundle/virt-tar-in.js";
