#!/usr/bin/env node
import "../dist/guestfs-live/main.js";
