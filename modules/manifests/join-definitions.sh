for file in $files; do
  echo "---"
  cat "$file"
done > "$out"
