#!/usr/bin/env node
import "../dist/bundle/virt-edit.js";
