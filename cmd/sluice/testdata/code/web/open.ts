export const open = useFlag("shop.checkout") || useFlag("shop.checkout", false)
