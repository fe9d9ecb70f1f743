export const congestionControl = () => ({});
