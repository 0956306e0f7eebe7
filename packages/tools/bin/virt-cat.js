#!/usr/bin/env node
import "../dist/bundle/virt-cat.js";
