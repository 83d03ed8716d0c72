// A program that ends with the code of its first argument.

process.exit(Number(process.argv[2]));
