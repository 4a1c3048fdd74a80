# Packs the built web pages (build/ui, made by `npm run build` in ui/) into one blob and writes the table
# that src/ui_bundle compiles: path, content type, place of the gzip bytes, whether the name is a digest.
# Without built pages the blob holds one page that says how to build them.
set(GYRE_UI_DIST ${PROJECT_SOURCE_DIR}/build/ui CACHE PATH "Folder of the built web pages")

# gyre_ui_bundle(OUT_DIR): blob.gz, blob.S and table.inc in OUT_DIR, rebuilt when a page changes.
function(gyre_ui_bundle out_dir)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  file(GLOB_RECURSE pages CONFIGURE_DEPENDS ${GYRE_UI_DIST}/*)
  set(pack ${PROJECT_SOURCE_DIR}/src/ui_bundle/pack_ui.py)
  add_custom_command(
    OUTPUT ${out_dir}/blob.bin ${out_dir}/blob.S ${out_dir}/table.inc
    COMMAND ${Python3_EXECUTABLE} ${pack} ${GYRE_UI_DIST} ${PROJECT_SOURCE_DIR}/src/ui_bundle/not_built.html ${out_dir}
    DEPENDS ${pages} ${pack} ${PROJECT_SOURCE_DIR}/src/ui_bundle/not_built.html
    COMMENT "Packing the web pages"
    VERBATIM)
endfunction()
