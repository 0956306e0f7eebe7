#!/usr/bin/env node
import "../dist/guestfs-doctor/main.js";
