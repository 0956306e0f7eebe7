#!/usr/bin/env node
import "../dist/bundle/virt-tar-out.js";
