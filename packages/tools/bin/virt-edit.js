#!/usr/bin/env node
import "../dist/virt-edit/main.js";
