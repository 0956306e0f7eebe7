#!/usr/bin/env node
import "../dist/guestmount/main.js";
