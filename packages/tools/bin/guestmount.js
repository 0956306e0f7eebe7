#!/usr/bin/env node
import "../dist/bundle/guestmount.js";
