// A service that cannot start.
console.error('the reason');
process.exit(1);
