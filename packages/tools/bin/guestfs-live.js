#!/usr/bin/env node
import "../dist/bundle/guestfs-live.js";
